"""From sections to the report: JSON, Markdown, and a page that needs nothing beside itself."""
