"""The sections of a report page, one module a section."""
