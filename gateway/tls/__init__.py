"""TLS for every link: contexts from settings, renewed with their files, watched for expiry."""

from gateway.tls.certificates import Certificates

__all__ = ["Certificates"]
