"""Dash: shell, address, cards, forms, views. Knows what ``analysis`` offers, computes nothing itself."""
