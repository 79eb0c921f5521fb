; userns_create(cred)
