-- The flow in PostgreSQL: one function a post, each a transaction of its own.
--
-- A purchase's row is keyed by its post, so that a post that comes again changes nothing. Pending ones are in two
-- small partial indexes: by buyer, for the confirmation, and by deadline, for whoever frees them. The hot row is
-- touched last, so that its lock is held for the commit only.
DROP TABLE IF EXISTS captures, purchases, shelves, offers, accounts CASCADE;

CREATE TABLE accounts (
  id bigint PRIMARY KEY,
  active boolean NOT NULL
);
CREATE TABLE offers (
  id int PRIMARY KEY,
  live boolean NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  price int NOT NULL,
  per_account int NOT NULL,
  confirm_window interval NOT NULL,
  available bigint NOT NULL CHECK (available >= 0)
) WITH (fillfactor = 40);
-- The same stock on 16 rows, for those who know that one hot row takes one commit at a time.
CREATE TABLE shelves (
  offer int NOT NULL,
  shelf int NOT NULL,
  available bigint NOT NULL CHECK (available >= 0),
  PRIMARY KEY (offer, shelf)
) WITH (fillfactor = 40);
CREATE TABLE purchases (
  post bigint PRIMARY KEY,
  account bigint NOT NULL,
  offer int NOT NULL,
  status "char" NOT NULL DEFAULT 'p', -- pending, capturing, expired
  price int NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX pending_by_buyer ON purchases (account, offer) WHERE status = 'p';
CREATE INDEX pending_by_deadline ON purchases (expires_at) WHERE status = 'p';
CREATE INDEX by_buyer ON purchases (account, offer);
-- What a worker has to charge; keyed by the post that confirmed.
CREATE TABLE captures (
  post bigint PRIMARY KEY,
  purchase bigint NOT NULL,
  amount int NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE FUNCTION hold(new_post bigint, buyer bigint, wanted int) RETURNS offers LANGUAGE plpgsql AS $$
DECLARE
  it offers;
  counted int;
  waiting int;
BEGIN
  PERFORM 1 FROM accounts WHERE id = buyer AND active;
  IF NOT FOUND THEN RAISE EXCEPTION 'not linked'; END IF;
  SELECT * INTO it FROM offers WHERE id = wanted AND live AND now() >= starts_at AND now() < ends_at;
  IF NOT FOUND THEN RAISE EXCEPTION 'not on sale'; END IF;
  SELECT count(*) FILTER (WHERE status <> 'e'), count(*) FILTER (WHERE status = 'p') INTO counted, waiting
    FROM purchases WHERE account = buyer AND offer = wanted;
  IF waiting > 0 THEN RAISE EXCEPTION 'pending already'; END IF;
  IF counted >= it.per_account THEN RAISE EXCEPTION 'limit reached'; END IF;
  INSERT INTO purchases (post, account, offer, price, created_at, expires_at)
    VALUES (new_post, buyer, wanted, it.price, now(), now() + it.confirm_window) ON CONFLICT (post) DO NOTHING;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN it;
END $$;

-- Buys a unit; a post that comes again is answered and changes nothing.
CREATE FUNCTION buy(new_post bigint, buyer bigint, wanted int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM purchases WHERE post = new_post) OR hold(new_post, buyer, wanted) IS NULL THEN
    RETURN 'repeated';
  END IF;
  UPDATE offers SET available = available - 1 WHERE id = wanted AND available > 0;
  IF NOT FOUND THEN RAISE EXCEPTION 'sold out'; END IF;
  RETURN 'pending';
END $$;

-- The same from one of 16 rows: one that nobody else has in hand.
CREATE FUNCTION buy_split(new_post bigint, buyer bigint, wanted int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  free int;
BEGIN
  IF EXISTS (SELECT FROM purchases WHERE post = new_post) OR hold(new_post, buyer, wanted) IS NULL THEN
    RETURN 'repeated';
  END IF;
  SELECT shelf INTO free FROM shelves WHERE offer = wanted AND available > 0 LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    SELECT shelf INTO free FROM shelves WHERE offer = wanted AND available > 0 ORDER BY random() LIMIT 1 FOR UPDATE;
    IF NOT FOUND THEN RAISE EXCEPTION 'sold out'; END IF;
  END IF;
  UPDATE shelves SET available = available - 1 WHERE offer = wanted AND shelf = free;
  RETURN 'pending';
END $$;

CREATE FUNCTION confirm(new_post bigint, buyer bigint, wanted int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  bought purchases;
BEGIN
  IF EXISTS (SELECT FROM captures WHERE post = new_post) THEN RETURN 'repeated'; END IF;
  UPDATE purchases SET status = 'c'
    WHERE account = buyer AND offer = wanted AND status = 'p' AND expires_at >= now()
    RETURNING * INTO bought;
  IF NOT FOUND THEN RAISE EXCEPTION 'nothing to confirm'; END IF;
  INSERT INTO captures VALUES (new_post, bought.post, bought.price, now());
  RETURN 'confirmed';
END $$;

INSERT INTO accounts SELECT n, true FROM generate_series(0, :accounts - 1) n;
INSERT INTO offers VALUES (1, true, now() - interval '1 day', now() + interval '1 day', 1500, 1000000, '15 minutes', 1000000000);
INSERT INTO shelves SELECT 1, n, 1000000000 / 16 FROM generate_series(0, 15) n;
VACUUM ANALYZE accounts;
VACUUM ANALYZE offers;
VACUUM ANALYZE shelves;
CHECKPOINT;
