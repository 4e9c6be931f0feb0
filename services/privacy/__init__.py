"""What is owed to the people whose data is held: a copy of it, an end of it, and its deletion by age."""
