"""The Docker Compose stack: looking at the machine, secrets, starting, stopping, saving and restoring.

A module of a command has a function of its name that does the work and prints nothing, such as
`adaptml.stack.up.up(stack)` for a stack from `adaptml.stack.compose.open_stack()`, and the `command` itself.
"""
