"""Networks: weights, sessions, detector, landmarks, classifiers."""
