"""The YAML file and the point list as one tree of models, or as everything that is wrong."""
