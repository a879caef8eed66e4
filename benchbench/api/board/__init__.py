"""Take part in a leaderboard: write a bundle of results, and check the bundles of others."""
