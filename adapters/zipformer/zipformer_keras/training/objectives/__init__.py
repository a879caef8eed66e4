"""What a network can be trained for: separation, or something that songs without stems can teach."""
