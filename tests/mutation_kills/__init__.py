"""Each of these tests notices a small wrong change of the decision that no other test noticed."""
