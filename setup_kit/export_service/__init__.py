"""Client of the Data Export Service, and of the organization whose data it exports."""
