"""What comes: the days on which verdicts change by themselves, and how they are told."""

from probe.document.telling.coming import Coming, Outlook, Unseen
from probe.outlook.ahead import FAR, day_after, outlook, representatives, unseen
from probe.outlook.telling import outlook_form, outlook_text

__all__ = ["FAR", "Coming", "Outlook", "Unseen", "day_after", "outlook", "outlook_form", "outlook_text", "representatives", "unseen"]
