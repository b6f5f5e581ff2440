"""What comes: the days on which verdicts change by themselves, and how they are told."""

from probe.outlook.ahead import Coming, outlook, representatives
from probe.outlook.telling import outlook_form, outlook_text

__all__ = ["Coming", "outlook", "outlook_form", "outlook_text", "representatives"]
