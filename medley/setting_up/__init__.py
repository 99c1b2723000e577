"""What one does once on a machine of one's own: a first job file, logins to several servers, completion."""
