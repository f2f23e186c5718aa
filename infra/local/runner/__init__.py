"""The parts of stack.py: the local stack's processes and its deployment."""
