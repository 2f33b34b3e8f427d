"""Studies of simulated days: many days at once, policies compared, settings swept, a recorded day under another
decision. Each day runs in `dialer.bootstrap.simulate`; here is what is asked of many, in processes of their own."""
