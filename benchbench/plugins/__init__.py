"""Plug-in folders: find, read and check the manifests of adapters and data sets."""
