"""The contract with plugins: hook specifications, the manager that loads plugins, the registry of what they bring."""
