/* fn_value.c - what the functions of store function_csv give. */
#include "store/fn_impl.h"

static uint64_t scaled(double v, double scale)
{
	v *= scale;
	return v >= 0x1p64 ? UINT64_MAX : v > 0 ? (uint64_t)v : 0;
}

static uint64_t minus(uint64_t a, uint64_t b, uint64_t *flag)
{
	if (a >= b)
		return a - b;
	*flag = 1;
	return 0;
}

static uint64_t over(uint64_t a, uint64_t b, uint64_t *flag)
{
	if (b)
		return a / b;
	*flag = 1;
	return 0;
}

static uint64_t fold(enum fn_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case FN_MAX:
	case FN_MAX_N:
		return a > b ? a : b;
	case FN_MIN:
	case FN_MIN_N:
		return a < b ? a : b;
	default:
		return a + b;
	}
}

/* Number k of a term, before its scale; *flag is set when it is not valid. */
static uint64_t term_value(const struct fn_shape *sh, const struct fn_term *t, uint32_t k, const uint64_t *prev,
			   uint64_t *flag)
{
	const uint64_t *a = sh->cell + t->of[0], *b = t->def->n_of > 1 ? sh->cell + t->of[1] : a;
	uint64_t sum;

	switch (t->def->op) {
	case FN_DELTA:
	case FN_RATE:
		/* what is computed has no row before */
		if (t->of[0] >= sh->n_in) {
			*flag = 1;
			return 0;
		}
		return minus(a[k], prev[t->of[0] + k], flag);
	case FN_MAX:
	case FN_MIN:
	case FN_SUM:
	case FN_AVG:
		sum = a[0];
		for (uint32_t i = 1; i < t->dim[0]; i++)
			sum = fold(t->def->op, sum, a[i]);
		return t->def->op == FN_AVG ? sum / t->dim[0] : sum;
	case FN_SUM_N:
	case FN_AVG_N:
	case FN_MAX_N:
	case FN_MIN_N:
		sum = a[k];
		for (unsigned int i = 1; i < t->def->n_of; i++)
			sum = fold(t->def->op, sum, sh->cell[t->of[i] + k]);
		return t->def->op == FN_AVG_N ? sum / t->def->n_of : sum;
	case FN_SUB_AB:
		return minus(a[k], b[k], flag);
	case FN_MUL_AB:
		return a[k] * b[k];
	case FN_DIV_AB:
		return over(a[k], b[k], flag);
	case FN_SUM_VS:
		return a[k] + b[0];
	case FN_SUB_VS:
		return minus(a[k], b[0], flag);
	case FN_SUB_SV:
		return minus(a[0], b[k], flag);
	case FN_MUL_VS:
		return a[k] * b[0];
	case FN_DIV_VS:
		return over(a[k], b[0], flag);
	case FN_DIV_SV:
		return over(a[0], b[k], flag);
	default:
		return a[k];
	}
}

void fn_term_run(const struct fn_shape *sh, const struct fn_term *t, const uint64_t *prev, double dt)
{
	const struct fn_def *def = t->def;
	uint64_t *out = sh->cell + t->at, flag = 0;

	for (unsigned int i = 0; i < def->n_of; i++)
		if (t->of[i] >= sh->n_in) /* of another term: its flag is behind its numbers */
			flag |= sh->cell[t->of[i] + t->dim[i]];
	for (uint32_t k = 0; k < t->n; k++) {
		uint64_t v = term_value(sh, t, k, prev, &flag);

		if (def->op == FN_THRESH_GE)
			out[k] = (double)v >= def->scale;
		else if (def->op == FN_THRESH_LT)
			out[k] = (double)v < def->scale;
		else if (def->op == FN_RATE)
			out[k] = dt > 0 ? scaled((double)v / dt, def->scale) : 0;
		else
			out[k] = def->scale == 1 ? v : scaled((double)v, def->scale);
	}
	if (def->op == FN_RATE && dt <= 0)
		flag = 1;
	out[t->n] = flag;
}
