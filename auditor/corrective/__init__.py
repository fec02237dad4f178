"""The two corrective policies: the guard, which closes a role, and the sender, which opens one."""
