"""What the value of a key can look like at all: small automata that restrict a search."""

from auditor.domains.mailbox import (
    COUNTED,
    LABEL_MAX,
    LOCAL_MAX,
    MAILBOX,
    in_domain_part,
    is_domain_name,
    is_mailbox,
)
from auditor.domains.model import DEAD, Domain
from auditor.domains.others import (
    ACCOUNT,
    ANYTHING,
    API_VERSION,
    FEEDBACK,
    NAME_MAX,
    RESOURCES,
    TRUE_OR_FALSE,
    user_id,
)
from auditor.domains.region import KNOWN_REGION, KNOWN_REGIONS, REGION, is_region, regions_of

__all__ = [
    "ACCOUNT",
    "ANYTHING",
    "API_VERSION",
    "COUNTED",
    "DEAD",
    "FEEDBACK",
    "KNOWN_REGION",
    "KNOWN_REGIONS",
    "LABEL_MAX",
    "LOCAL_MAX",
    "MAILBOX",
    "NAME_MAX",
    "REGION",
    "RESOURCES",
    "TRUE_OR_FALSE",
    "Domain",
    "in_domain_part",
    "is_domain_name",
    "is_mailbox",
    "is_region",
    "regions_of",
    "user_id",
]
