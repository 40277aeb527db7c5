"""What an operator prepares: certificates, broker rights, registry."""
