"""Why a role's verdict is what it is, and what one request would meet: values in, text out.

Every statement made here rests on an answer of the engine, never on how a policy looks.
"""
