"""Administration: definitions, people, calendar, incidents."""
