"""The commands, by subject. A command checks, calls one function of the service, and shows what it gave."""
