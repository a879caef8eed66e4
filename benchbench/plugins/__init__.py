"""Plug-in folders: the manifests of adapters and data sets, read, checked and found."""
