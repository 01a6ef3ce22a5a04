"""The Hub client: files of a repository, what its errors mean, and what a Space requires."""
