# A session names network and handle first, then an address, an agreement, a card, then the proof, then a last yes.

story: from nothing to a purchase
offer Shirt: #BuyShirt, 3 in stock
post alice p0 "#BuyShirt" on x → not_linked
session s1 for alice on x
step s1 address US
step s1 agrees
step s1 begins c1
step s1 stores c1 tok_visa
step s1 code Link0123456789abc
post alice p1 "Here I am #Link0123456789abc" on x → no_offer
no reply to p1
linking s1 is proven by alice
step s1 confirms as alice
linking s1 is done
card of alice is tok_visa, in US, agreed, with a page, linked on x
events: account.created
post alice p2 "#BuyShirt" on x → pending

story: the steps come one after the other
session s1 for alice on x
step s1 code Link0123456789abc → refused: First comes the address.
step s1 address US
step s1 code Link0123456789abc → refused: First comes your agreement.
step s1 agrees
step s1 code Link0123456789abc → refused: First comes the card.
step s1 stores c1 tok_visa → refused: taken in already, or another one was begun
step s1 begins c1
step s1 stores c2 tok_visa → refused: taken in already, or another one was begun
step s1 stores c1 tok_visa
step s1 stores c1 tok_amex → refused: taken in already, or another one was begun
step s1 confirms → refused: First comes the post with the code.
step s1 code Link0123456789abc
step s1 confirms → refused: First comes the post with the code.

# The code is posted by that very author, after the session began; no repost, no quote; once; within ten minutes.

story: somebody else's post proves nothing
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
post mallory p1 "#Unlink0123456789abc" on x → no_offer
post alice p2 "#Unlink0123456789abc" on bluesky → no_offer
linking s1 is open
post alice p3 "#Unlink0123456789abc" on x → no_offer
linking s1 is proven by alice

story: a handle is the same in any case, with or without its server
session s1 for @Alice on mastodon to unlink
step s1 code Unlink0123456789abc
post 77 p1 "#unlink0123456789ABC" on mastodon, called alice@social.example → no_offer
linking s1 is proven by 77

story: a repost or a quote proves nothing
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
repost alice p1 of p0 with "#Unlink0123456789abc" on x → repost_ignored
post alice p2 "#Unlink0123456789abc" on x, quoting p9 → no_offer
linking s1 is open

story: a post from before the session proves nothing, however it was edited since
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
post alice p1 "#Unlink0123456789abc" on x, made 1 ms ago → no_offer
linking s1 is open
after 1 ms
post alice p2 "#Unlink0123456789abc" on x, made 1 ms ago → no_offer
linking s1 is proven by alice

story: after ten minutes the code is worth nothing, and its post may arrive late
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
after 10 minutes 1 ms
post alice p1 "#Unlink0123456789abc" on x → no_offer
linking s1 is open
after 1 minute
post alice p2 "#Unlink0123456789abc" on x, made 1 minute 1 ms ago → no_offer
linking s1 is proven by alice

story: another code makes the one before it worthless
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
step s1 code Unlink0123456789abd
post alice p1 "#Unlink0123456789abc" on x → no_offer
linking s1 is open
post alice p2 "#Unlink0123456789abd" on x → no_offer
linking s1 is proven by alice
step s1 code Unlink0123456789abe
linking s1 is open

story: a code is used once, and its post is judged once
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
post alice p1 "#Unlink0123456789abc" on x → no_offer
post alice p1 "#Unlink0123456789abc" on x → no_offer, repeated
post mallory p2 "#Unlink0123456789abc" on x → no_offer
linking s1 is proven by alice
records: 1 posts

# One browser, from the beginning to the last yes.

story: another browser has no part in it
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc in another browser → refused: no such link session
step s1 code Unlink0123456789abc
post alice p1 "#Unlink0123456789abc" on x → no_offer
step s1 confirms in another browser → refused: no such link session

story: a session that was begun for somebody opens once
session s1 for alice on x by a link
step s1 address US → refused: no such link session
step s1 opens
step s1 opens in another browser → refused: no such link session
step s1 address US

story: an hour, and it is over
session s1 for alice on x
step s1 address US
after 1 hour
step s1 agrees → refused: This took too long
tick
linking s1 is open
after 2 seconds
tick
linking s1 is forgotten

story: an hour ends the code, too
session s1 for alice on x to unlink
after 59 minutes
step s1 code Unlink0123456789abc
after 1 minute
post alice p1 "#Unlink0123456789abc" on x → no_offer
linking s1 is open

story: whoever stops has told nothing
session s1 for alice on x
step s1 address US
step s1 stops
linking s1 is cancelled
step s1 agrees → refused: This was cancelled

story: said twice, it is done once
session s1 for alice on x
step s1 address US
step s1 agrees
step s1 begins c1
step s1 stores c1 tok_visa
step s1 code Link0123456789abc
post alice p1 "#Link0123456789abc" on x → no_offer
step s1 confirms as alice
step s1 confirms
events: account.created

# A fresh proof moves an identity to a new account, and never inherits a card or an address.

story: a fresh proof inherits nothing
offer Shirt: #BuyShirt, 3 in stock
buyer alice on x from CA pays with tok_amex
post alice p1 "#BuyShirt" → pending
session s1 for alice on x
step s1 address US
step s1 agrees
step s1 begins c1
step s1 stores c1 tok_visa
step s1 code Link0123456789abc
post alice p2 "#Link0123456789abc" on x → no_offer
step s1 confirms as new
card of new is tok_visa, in US, agreed, with a page, linked on x
account alice is erased and forgotten
purchase alice Shirt is cancelled
stock Shirt: 3 available, 0 held, 0 sold
post alice p3 "#ConfirmShirt" on x → nothing_to_confirm

story: an account with another identity goes on without the one that moved
buyer alice on x and bluesky from CA pays with tok_amex
session s1 for alice on x
step s1 address US
step s1 agrees
step s1 begins c1
step s1 stores c1 tok_visa
step s1 code Link0123456789abc
post alice p2 "#Link0123456789abc" on x → no_offer
step s1 confirms as new
card of new is tok_visa, in US, agreed, with a page, linked on x
card of alice is tok_amex, in CA, linked on bluesky

story: an identity is added to an account, and buys with its card
offer Shirt: #BuyShirt, 3 in stock, limit 1
buyer alice on x from US pays with tok_visa
session s1 for alice on bluesky into alice
step s1 address US → refused: Nothing is asked for here.
step s1 code Link0123456789abc
post alice p1 "#Link0123456789abc" on bluesky → no_offer
step s1 confirms
card of alice is tok_visa, in US, with a page, linked on x bluesky
post alice p2 "#BuyShirt" on x → pending
post alice p3 "#BuyShirt" on bluesky → already_pending

story: a handle that has changed is shown anew and buys again
offer Shirt: #BuyShirt, 3 in stock
buyer alice on x from US pays with tok_visa
post alice p1 "#BuyShirt" on x, called alicia → identity_frozen
session s1 for alicia on x into alice
step s1 code Link0123456789abc
post alice p2 "#Link0123456789abc" on x, called alicia → no_offer
step s1 confirms
post alice p3 "#BuyShirt" on x, called alicia → pending

# Unlinking and erasing go the same way.

story: unlinking the last identity erases the account
offer Shirt: #BuyShirt, 3 in stock
buyer alice on x from US pays with tok_visa
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
post alice p1 "#Unlink0123456789abc" on x → no_offer
account alice is active and known
step s1 confirms
account alice is erased and forgotten
post alice p2 "#BuyShirt" on x → not_linked

story: unlinking one of two leaves the other
buyer alice on x and bluesky from US pays with tok_visa
session s1 for alice on x to unlink
step s1 code Unlink0123456789abc
post alice p1 "#Unlink0123456789abc" on x → no_offer
step s1 confirms
card of alice is tok_visa, in US, linked on bluesky

story: erasing takes all of it
buyer alice on x and bluesky from US pays with tok_visa
session s1 for alice on x to erase
step s1 code Unlink0123456789abc
post alice p1 "#Unlink0123456789abc" on x → no_offer
step s1 confirms
account alice is erased and forgotten

story: what is under way is finished before it is erased
offer Shirt: #BuyShirt, 3 in stock
buyer alice on x from US pays with tok_visa
post alice p1 "#BuyShirt" on x → pending
post alice p2 "#ConfirmShirt" on x → confirmed
session s1 for alice on x to erase
step s1 code Unlink0123456789abc
post alice p3 "#Unlink0123456789abc" on x → no_offer
step s1 confirms
account alice is erasing and known
gateway says created to alice Shirt
gateway says paid to alice Shirt
account alice is erased and forgotten
order alice Shirt is unfulfilled to US

story: nobody is told whether a stranger is linked
buyer alice on x from US pays with tok_visa
session s1 for alice on x to unlink
session s2 for nobody on x to unlink
step s1 code Unlink0123456789abc
step s2 code Unlink0123456789abd
linking s1 is open
linking s2 is open
post nobody p1 "#Unlink0123456789abd" on x → no_offer
step s2 confirms
linking s2 is done

story: what cannot be
session s1 for alice on nowhere → refused: network: is not a network that this till knows
session s1 for "two words" on x → refused: handle: must be one handle, without spaces
session s1 for "" on x → refused: handle: must not be empty
session s1 for alice on x
step s1 address XX → refused: country
