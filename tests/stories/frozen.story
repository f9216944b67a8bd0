# A changed handle on a linked identity freezes it (identity_frozen) until it is confirmed (PATCH account).

story: a changed handle can neither buy nor confirm
  offer Shirt: #BuyShirt, 5 in stock, limit 2
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" called mallory → identity_frozen
  reply to p2 never says "handle"
  reply to p2 says "could not be completed and nothing was charged"
  purchase alice Shirt is pending
  post alice p3 "#ConfirmShirt" → identity_frozen
  link alice mastodon
  post alice p4 "#ConfirmShirt" → confirmed
story: nor buy, nor enrol, nor be served in line
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post carl p0 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" → waitlisted, number 1
  post bob p2 "#BuyShirt" → waitlisted, number 2
  post alice p3 "#AmexShop" called mallory → identity_frozen
  cancel carl Shirt
  purchase bob Shirt is pending
story: suspended comes before frozen, frozen before already pending
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  suspend alice
  post alice p2 "#BuyShirt" called mallory → account_suspended
  activate alice
  post alice p3 "#BuyShirt" → already_pending
  post alice p4 "#BuyShirt" called mallory → identity_frozen
  post alice p5 "#BuyShirt" → identity_frozen
story: another way to write the same handle changes nothing
  offer Shirt: #BuyShirt, limit 9
  buyer alice on mastodon
  post alice p1 "#BuyShirt" called @Alice → pending
  post alice p2 "#ConfirmShirt" called alice@social.example → confirmed
story: only the identity whose handle has changed is frozen
  offer Shirt: #BuyShirt
  buyer alice on x and mastodon
  post alice p1 "#BuyShirt" on x called mallory → identity_frozen
  post alice p2 "#BuyShirt" on mastodon → pending
