"""What people decide in a ticket comes back to the findings that it is about."""
