"""The processes of the bureau, one folder each; a folder knows no other."""
