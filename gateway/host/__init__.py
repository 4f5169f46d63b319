"""The plugin host: what is installed, and what of it the configuration names."""

from gateway.host.host import Host
from gateway.host.installed import Installed, installed
from gateway.host.plugin import Component, Plugin, PluginError

__all__ = ["Component", "Host", "Installed", "Plugin", "PluginError", "installed"]
