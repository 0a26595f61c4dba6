"""What every page stands on: login, permissions, security headers, errors, languages."""
