"""Decides, with proof, whether AWS CodeBuild roles can mail real people through Amazon SES."""

__version__ = "0.1.0"
