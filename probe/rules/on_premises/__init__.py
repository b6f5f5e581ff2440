"""The rules for Customer Engagement (on-premises): each file holds one RULE."""
