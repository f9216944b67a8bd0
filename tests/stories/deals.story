# Posting a deal's hashtag enrols, once, and answers; a card transaction earns the credit.

story: spend 75, get 25 back
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, 3 in stock
  buyer alice on x
  post alice p1 "Nice! #AmexShop" → enrolled
  reply to p1 says "Spend $75.00 or more with your linked card and get $25.00 back"
  events: deal.enrolled
  deal Deal: 1 enrolled, 0 credits of 0
  spends t1 alice 80.00 USD at shop
  credits alice: $25.00 pending
  credit says created to alice Deal
  credit says paid to alice Deal
  credits alice: $25.00 credited
  events: deal.credited
  deal Deal: 1 enrolled, 1 credits of 2500
story: enrolled once
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  post alice p1 "#AmexShop" → enrolled, repeated
  post alice p2 "#AmexShop" → already_enrolled
  reply to p2 says "You take part already"
  post stranger p3 "#AmexShop" → not_linked
  deal Deal: 1 enrolled, 0 credits of 0
story: places
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, 1 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#AmexShop" → enrolled
  post bob p2 "#AmexShop" → deal_full
  reply to p2 says "All places are taken"
  change Deal stock to 2
  post bob p3 "#AmexShop" → enrolled
  change Deal stock to 1 → refused: 0 are held and 2 sold
story: dates, a pause, and a suspended account
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, starts in 1 hour, ends in 2 hours
  buyer alice on x
  buyer bob on x
  post alice p1 "#AmexShop" → not_started
  after 1 hour
  pause Deal
  post alice p2 "#AmexShop" → paused
  resume Deal
  suspend bob
  post bob p3 "#AmexShop" → account_suspended
  post alice p4 "#AmexShop" → enrolled
  after 1 hour
  activate bob
  post bob p5 "#AmexShop" → ended
story: no confirmation, and deleting changes nothing
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#ConfirmShop" → no_offer
  post alice p2 "#AmexShop" → enrolled
  delete p2
  deal Deal: 1 enrolled, 0 credits of 0
# matches by account, merchant, date (from the enrolment on) and amount
story: what does not fit earns nothing
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, ends in 2 days
  offer Other: #BuyOther, by rival
  buyer alice on x
  buyer bob on x
  after 10 minutes
  post alice p1 "#AmexShop" → enrolled
  spends t1 bob 80.00 USD at shop
  spends t2 alice 80.00 USD at rival
  spends t3 alice 74.99 USD at shop
  spends t4 alice 80.00 EUR at shop
  spends t5 alice 80.00 USD at shop made 5 minutes ago
  credits alice: none
  after 3 days
  spends t6 alice 80.00 USD at shop
  credits alice: none
  spends t7 alice 80.00 USD at shop made 2 days ago
  credits alice: $25.00 pending
# one credit per enrolment unless the deal says otherwise
story: one credit, or as many as the deal says
  offer One: #AmexOne, gives 5.00 USD for 20.00 USD
  offer Two: #AmexTwo, gives 6.00 USD for 20.00 USD, limit 2
  buyer alice on x
  post alice p1 "#AmexOne" → enrolled
  post alice p2 "#AmexTwo" → enrolled
  spends t1 alice 20.00 USD at shop
  spends t2 alice 20.00 USD at shop
  spends t3 alice 20.00 USD at shop
  credits alice: $5.00 pending; $6.00 pending; $6.00 pending
story: a part of what was spent, rounded down, up to the cap
  offer Deal: #AmexShop, gives 10 percent up to 5.00 USD for 20.00 USD, limit 9
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  reply to p1 says "get 10 % back on your statement, up to $5.00"
  spends t1 alice 20.09 USD at shop
  spends t2 alice 900.00 USD at shop
  credits alice: $2.00 pending; $5.00 pending
story: the same transaction once more
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, limit 2
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  spends t1 alice 80.00 USD at shop → repeated
  spends t1 alice 81.00 USD at shop → refused: with other contents
  deal Deal: 1 enrolled, 1 credits of 2500
# the budget ends it
story: the budget ends it
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD budget 60.00 USD
  buyer alice on x
  buyer bob on x
  buyer carl on x
  buyer dora on x
  post alice p1 "#AmexShop" → enrolled
  post bob p2 "#AmexShop" → enrolled
  post carl p3 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  spends t2 bob 80.00 USD at shop
  events: offer.ended
  spends t3 carl 80.00 USD at shop
  credits carl: none
  deal Deal: 3 enrolled, 2 credits of 5000
  post dora p4 "#AmexShop" → ended
# a refund or reversal of the transaction takes its credit back, until 180 days after the deal's end
story: a refund takes the credit back
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  credit says created to alice Deal
  credit says paid to alice Deal
  returns t2 of t1 alice 5.00 USD at shop
  credits alice: $25.00 credited
  returns t3 of t1 alice 0.01 USD at shop
  credits alice: $25.00 credited, 0 due
  deal Deal: 1 enrolled, 0 credits of 0
  credit says given back to alice Deal
  credits alice: $25.00 reversed, 0 due
  spends t4 alice 80.00 USD at shop
  credits alice: $25.00 reversed, 0 due; $25.00 pending
story: a reversal before the gateway has answered
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  credit says created to alice Deal
  reverses t2 of t1 alice 80.00 USD at shop
  credits alice: $25.00 pending, 0 due
  credit says paid to alice Deal
  credits alice: $25.00 credited, 0 due
  credit says given back to alice Deal
  credits alice: $25.00 reversed, 0 due
story: a part of a part
  offer Deal: #AmexShop, gives 10 percent up to 50.00 USD for 20.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 100.00 USD at shop
  credit says created to alice Deal
  credit says paid to alice Deal
  returns t2 of t1 alice 30.00 USD at shop
  credits alice: $10.00 credited, 700 due
  credit says given back to alice Deal
  returns t3 of t1 alice 60.00 USD at shop
  credit says given back to alice Deal
  credits alice: $10.00 reversed, 0 due
  returns t4 of t1 alice 10.01 USD at shop → refused: at most 1000
story: half a year after the deal nothing is taken back
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, ends in 1 day
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 160.00 USD at shop
  credit says created to alice Deal
  credit says paid to alice Deal
  after 181 days
  returns t2 of t1 alice 1.00 USD at shop
  after 1 ms
  returns t3 of t1 alice 159.00 USD at shop
  credits alice: $25.00 credited
story: on the last day it is
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD, ends in 1 day
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 160.00 USD at shop
  credit says created to alice Deal
  credit says paid to alice Deal
  after 181 days
  returns t2 of t1 alice 160.00 USD at shop
  credits alice: $25.00 credited, 0 due
story: a credit that is declined can be earned anew
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  credit says declined to alice Deal
  credits alice: $25.00 failed, 0 due
  deal Deal: 1 enrolled, 0 credits of 0
  spends t2 alice 80.00 USD at shop
  credits alice: $25.00 failed, 0 due; $25.00 pending
story: lost at the gateway, and found after all
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  credit says created to alice Deal
  credit says unknown to alice Deal
  credit says lost to alice Deal
  credit says created to alice Deal
  credit says paid to alice Deal
  credit says paid to alice Deal attempt 1
  credits alice: $25.00 credited
  credit says given back to alice Deal
  credits alice: $25.00 credited
# Limits count per card, not only per account.
story: one card, two accounts
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x pays with tok_visa.ours
  buyer bob on x pays with tok_visa.ours
  buyer carl on x pays with tok_visa.carls
  post alice p1 "#AmexShop" → enrolled
  post bob p2 "#AmexShop" → already_enrolled
  post carl p3 "#AmexShop" → enrolled
story: the terms of the enrolment stay
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  buyer bob on x
  post alice p1 "#AmexShop" → enrolled
  change Deal to give 5.00 USD for 50.00 USD
  post bob p2 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  spends t2 bob 60.00 USD at shop
  credits alice: $25.00 pending
  credits bob: $5.00 pending
story: erasing waits for a credit under way
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#AmexShop" → enrolled
  spends t1 alice 80.00 USD at shop
  erase alice
  account alice is erasing and known
  credit says created to alice Deal
  credit says paid to alice Deal
  account alice is erased and forgotten
  spends t2 alice 80.00 USD at shop → refused: is erased
  returns t3 of t1 alice 80.00 USD at shop
  credit says given back to alice Deal
  credits alice: $25.00 reversed, 0 due
story: deals that cannot be
  offer A: #AmexA, gives 80.00 USD for 75.00 USD → refused: at most min_spend
  offer B: #AmexB, gives 5.00 EUR for 75.00 USD → refused: currency of min_spend
  offer C: #AmexC, gives 101 percent up to 5.00 USD for 75.00 USD → refused: from 1 to 100
  offer D: #AmexD, gives 25.00 USD for 75.00 USD budget 24.99 USD → refused: one credit at least
  offer E: #AmexE, gives 25.00 USD for 75.00 USD, waiting list → refused: no meaning for a deal
  offer F: #AmexF, gives 25.00 USD for 75.00 USD, confirm #YesF → refused: no meaning for a deal
  offer G: #AmexG, gives 25.00 USD for 75.00 USD
  offer H: #AmexG, confirm #YesG → refused: is taken
  change G price to 5.00 USD → refused: no meaning for a deal
story: transactions that cannot be
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  offer Other: #BuyOther, by rival
  buyer alice on x
  spends t1 alice 80.00 USD at shop made in 6 minutes → refused: must not lie after now
  spends t1 of t0 alice 80.00 USD at shop → refused: goes only with a refund
  returns t1 alice 80.00 USD at shop → refused: must name the purchase
  returns t1 of t0 alice 80.00 USD at shop → refused: tell the purchase first
  spends t1 alice 80.00 USD at shop
  returns t2 of t1 alice 80.00 USD at rival → refused: of another account or merchant
  returns t2 of t1 alice 80.01 USD at shop → refused: at most 8000
  returns t2 of t1 alice 80.00 EUR at shop → refused: currency of the purchase
  returns t2 of t1 alice 80.00 USD at shop
  returns t3 of t2 alice 80.00 USD at shop → refused: tell the purchase first
