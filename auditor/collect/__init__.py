"""Where accounts come from: AWS itself (``live``) or a file that the AWS CLI wrote (``snapshot``).

Both give an ``auditor.account.Account``. The modules are imported by those who need them: boto3
is loaded by ``live`` and ``clients`` alone, so that reading a file never pays for it.
"""
