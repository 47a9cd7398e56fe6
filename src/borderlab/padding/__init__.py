"""Padding schemes: one file and one registry line each, and the conversion of whole models."""
