"""Appointments with job seekers: inviting them, and keeping what RDV-Insertion says of what came of it."""
