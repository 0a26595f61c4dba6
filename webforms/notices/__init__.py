"""Pages of the public notices: for the desks, and for everybody without a login."""
