"""Imports the plugins that are asked for, and no others."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.host.installed import Installed, installed
from gateway.host.plugin import Component, Plugin, PluginError, described, verify


class Host:
    """Knows what is installed and keeps what was loaded.

    `extra` maps names of plugins to modules or objects with the hook,
    which stand beside the installed ones and hide those of the same name: for tests.
    """

    def __init__(self, extra: Mapping[str, object] | None = None) -> None:
        self._extra = dict(extra or {})
        self._installed: tuple[Installed, ...] | None = None
        self._loaded: dict[str, Plugin | PluginError] = {}

    def installed(self) -> tuple[Installed, ...]:
        """Return what is installed, without importing it."""
        if self._installed is None:
            self._installed = installed()
        return self._installed

    def names(self) -> list[str]:
        """Return the names of all plugins that can be asked for."""
        return sorted({*self._extra, *(one.name for one in self.installed())})

    def load(self, name: str) -> Plugin:
        """Import a plugin, call its hook, and hold what it returns against the contract.

        The same plugin, or the same error, is returned when asked again.
        Raises PluginError where it is not installed, not importable or not as it must be.
        """
        if name not in self._loaded:
            try:
                self._loaded[name] = self._load(name)
            except PluginError as error:
                self._loaded[name] = error
        loaded = self._loaded[name]
        if isinstance(loaded, PluginError):
            raise loaded
        return loaded

    def loaded(self, name: str) -> Plugin | None:
        """Return a plugin that `load` returned before, else None."""
        plugin = self._loaded.get(name)
        return plugin if isinstance(plugin, Plugin) else None

    def component(self, word: str) -> Component:
        """Return the class whose `type` in the YAML is `word`: `acme` or `acme.master`.

        Raises KeyError where the plugin has no such type, PluginError as `load` does.
        """
        for component in self.load(word.partition(".")[0]).components:
            if word in component.types:
                return component
        raise KeyError(word)

    def _load(self, name: str) -> Plugin:
        if name in self._extra:
            return verify(name, self._extra[name], "handed in")
        offers = [one for one in self.installed() if one.name == name]
        if not offers:
            raise PluginError(f"plugin '{name}' is not installed")
        if len(offers) > 1:
            both = " and ".join(str(one) for one in offers)
            raise PluginError(f"plugin '{name}' is offered twice, by {both}; uninstall one of them")
        offer = offers[0]
        try:
            plugin = offer.load()
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"plugin '{name}' ({offer}) cannot be imported: {described(error)}"
            ) from error
        names = [
            one.name
            for one in self.installed()
            if (one.distribution, one.value) == (offer.distribution, offer.value)
        ]
        return verify(name, plugin, str(offer), names)
