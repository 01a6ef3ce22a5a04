"""The Hub client: repository ids and files, the meaning of errors, and what a Space requires."""
