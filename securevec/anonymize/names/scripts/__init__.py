"""People, addresses and numbers in texts of scripts that have no capitals to give a name away."""
