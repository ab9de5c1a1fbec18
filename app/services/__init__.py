"""Operations that change or combine more than one store."""
