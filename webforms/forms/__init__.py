"""Form definitions (form-js schema) as WTForms classes."""
