# The buyer is told under the post that confirmed: that it has shipped, once all of it has; nothing else.
story: told that it is on its way
  offer Shirt: #BuyShirt, 15.00 USD, 3 in stock, titled "Blue shirt"
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  reply to p2 says "is being charged"
  ship alice Shirt
  reply to p2 says "Blue shirt: "
  reply to p2 never says "15"
  reply to p2 never says "Main Street"
  reply to p2 never says "Buyer"
  reply to p2 is queued
  why p2 goes on with "A reply was queued: that it is on its way"
story: told once, with the last parcel
  offer Shirt: #BuyShirt, 15.00 USD, 5 in stock, limit 3, up to 3 at once
  buyer alice on mastodon
  post alice p1 "x3 #BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  outbox: 2
  ship alice Shirt 2
  outbox: 2
  ship alice Shirt
  outbox: 3
  deliver alice Shirt
  outbox: 3
story: told that the shop has cancelled, once the money is on its way back
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock, titled "Blue shirt"
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  cancel order alice Shirt and restock
  reply to p2 says "is being charged"
  bank gives back to alice Shirt
  reply to p2 says "Blue shirt: "
  reply to p2 says "cancelled"
  reply to p2 never says "15"
  why p2 goes on with "A reply was queued: that the shop has cancelled it"
  outbox: 3
story: a part of the money back cancels nothing
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt 5.00
  bank gives back to alice Shirt
  outbox: 2
  ship alice Shirt
  outbox: 3
  refund alice Shirt
  bank gives back to alice Shirt, refund 2
  order alice Shirt is shipped to US
  outbox: 3
# Where a network takes one reply to a post, that one has told how the capture ended.
story: nothing more on x
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  outbox: 2
  ship alice Shirt
  reply to p2 says "was charged"
  outbox: 2
# It goes to whoever confirmed, on that network, as the account is linked now; to nobody else.
story: told where it was confirmed
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon and bluesky
  post alice p1 "#BuyShirt" on mastodon → pending
  post alice p2 "#ConfirmShirt" on bluesky → confirmed
  gateway says paid to alice Shirt
  ship alice Shirt
  why p2 goes on with "that it is on its way"
  reply to p1 says "#ConfirmShirt"
story: not told who is not linked there any more
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  link alice mastodon as alice2
  ship alice Shirt
  outbox: 2
story: not told who is suspended
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  suspend alice
  ship alice Shirt
  outbox: 2
  order alice Shirt is shipped to US
story: not told whose handle has changed
  offer Shirt: #BuyShirt, 15.00 USD, 2 in stock, limit 2
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post alice p3 "#BuyShirt" on mastodon called mallory → identity_frozen
  outbox: 3
  ship alice Shirt
  outbox: 3
story: not told whose account is erased
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  sent p1
  sent p2
  erase alice
  ship alice Shirt
  outbox: 0
  order alice Shirt is shipped to nowhere
story: erased after it was queued
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  ship alice Shirt
  erase alice
  reply to p2 is dropped
  outbox: 0
story: not told under a post that was deleted
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  delete p2
  ship alice Shirt
  outbox: 2
# It matters least: whatever else a network has room for goes first. After a day it is not worth posting.
story: it goes last
  network mastodon: a quarter of an hour takes 3
  offer Shirt: #BuyShirt, 15.00 USD, 3 in stock
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  sent p1
  post alice p2 "#ConfirmShirt" → confirmed
  sent p2
  gateway says paid to alice Shirt
  ship alice Shirt
  bridge on mastodon sees p2
  post stranger p3 "#BuyShirt" on mastodon → not_linked
  bridge on mastodon sees p3
  after 23 hours
  bridge on mastodon sees p2
  after 61 minutes
  bridge on mastodon sees nothing
  tick
  reply to p2 is dropped
  outbox: 0
# In the language of the buyer's post, and not always in the same words.
story: in the buyer's language
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" in de → pending
  post alice p2 "#ConfirmShirt" in de → confirmed
  gateway says paid to alice Shirt
  cancel order alice Shirt
  bank gives back to alice Shirt
  reply to p2 says "storniert"
story: not always in the same words
  offer Shirt: #BuyShirt, 15.00 USD, 6 in stock, limit 6
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → pending
  post carl p3 "#BuyShirt" → pending
  post dora p4 "#BuyShirt" → pending
  post alice c1 "#ConfirmShirt" → confirmed
  post bob c2 "#ConfirmShirt" → confirmed
  post carl c3 "#ConfirmShirt" → confirmed
  post dora c4 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  gateway says paid to bob Shirt
  gateway says paid to carl Shirt
  gateway says paid to dora Shirt
  ship alice Shirt
  ship bob Shirt
  ship carl Shirt
  ship dora Shirt
  replies to c1 c2 c3 c4 differ
