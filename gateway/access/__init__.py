"""Who may do what: users, passwords, certificates, roles, and the lock against guessing."""

from gateway.access.access import Access
from gateway.access.file import Mistake, UsersError, load_users
from gateway.access.users import User

__all__ = ["Access", "Mistake", "User", "UsersError", "load_users"]
