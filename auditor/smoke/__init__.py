"""An integration test, ready made: does mail reach SES's mailbox simulator, and nobody else?"""
