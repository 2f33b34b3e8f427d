-- Take a stop back. The stop log is left as it is: it says what was forbidden, and when.
-- KEYS: stops. ARGV: key. Answers 1 where there was one, else 0.
return redis.call('HDEL', KEYS[1], ARGV[1])
