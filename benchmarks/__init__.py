"""What the gateway reaches, each figure beside a reference of the same run."""
