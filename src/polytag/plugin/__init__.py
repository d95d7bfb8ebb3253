"""The contracts that plugins implement, and the plugin manager."""
