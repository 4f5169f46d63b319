"""The source `mqtt`: devices that publish, and take commands at topics."""
